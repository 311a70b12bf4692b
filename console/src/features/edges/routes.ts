import { Cpu } from '@element-plus/icons-vue'
import type { Feature } from '@/app/feature'

export const feature: Feature = {
  name: 'edges',
  order: 5,
  icon: Cpu,
  routes: [{ path: 'edges', name: 'edges', component: () => import('./EdgesPage.vue') }],
}
