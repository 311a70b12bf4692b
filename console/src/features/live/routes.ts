import { VideoCamera } from '@element-plus/icons-vue'
import type { Feature } from '@/app/feature'

export const feature: Feature = {
  name: 'live',
  order: 2,
  icon: VideoCamera,
  routes: [{ path: 'live', name: 'live', component: () => import('./LivePage.vue') }],
}
