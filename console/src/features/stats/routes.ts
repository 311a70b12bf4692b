import { DataAnalysis } from '@element-plus/icons-vue'
import type { Feature } from '@/app/feature'

export const feature: Feature = {
  name: 'stats',
  order: 6,
  icon: DataAnalysis,
  routes: [{ path: 'stats', name: 'stats', component: () => import('./StatsPage.vue') }],
}
