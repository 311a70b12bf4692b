import { Camera } from '@element-plus/icons-vue'
import type { Feature } from '@/app/feature'

export const feature: Feature = {
  name: 'cameras',
  order: 3,
  icon: Camera,
  routes: [{ path: 'cameras', name: 'cameras', component: () => import('./CamerasPage.vue') }],
}
