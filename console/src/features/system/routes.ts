import { Setting } from '@element-plus/icons-vue'
import type { Feature } from '@/app/feature'

export const feature: Feature = {
  name: 'system',
  order: 9,
  icon: Setting,
  routes: [{ path: 'system', name: 'system', component: () => import('./SystemPage.vue') }],
}
