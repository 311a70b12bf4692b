import { Monitor } from '@element-plus/icons-vue'
import type { Feature } from '@/app/feature'

export const feature: Feature = {
  name: 'board',
  order: 7,
  icon: Monitor,
  deskOnly: true,
  routes: [{ path: 'board', name: 'board', component: () => import('./BoardPage.vue') }],
}
