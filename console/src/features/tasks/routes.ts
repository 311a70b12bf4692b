import { Aim } from '@element-plus/icons-vue'
import type { Feature } from '@/app/feature'

export const feature: Feature = {
  name: 'tasks',
  order: 4,
  icon: Aim,
  routes: [{ path: 'tasks', name: 'tasks', component: () => import('./TasksPage.vue') }],
}
