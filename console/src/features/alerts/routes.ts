import { Bell } from '@element-plus/icons-vue'
import type { Feature } from '@/app/feature'

export const feature: Feature = {
  name: 'alerts',
  order: 1,
  icon: Bell,
  routes: [{ path: 'alerts/:id?', name: 'alerts', component: () => import('./AlertsPage.vue') }],
}
