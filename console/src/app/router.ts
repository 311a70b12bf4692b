import { createRouter, createWebHistory, type Router } from 'vue-router'
import { useSession } from '@/stores/session'
import { features } from './features'

export function makeRouter(): Router {
  const router = createRouter({
    history: createWebHistory(),
    routes: [
      { path: '/login', name: 'login', component: () => import('./LoginPage.vue') },
      {
        path: '/',
        component: () => import('./AppShell.vue'),
        children: [
          { path: '', redirect: { name: 'alerts' } },
          ...features.flatMap((feature) => feature.routes),
          { path: ':rest(.*)*', name: 'not-found', component: () => import('./NotFoundPage.vue') },
        ],
      },
    ],
  })
  router.beforeEach(async (to) => {
    const session = useSession()
    let signedIn = false
    try {
      signedIn = await session.restore()
    } catch {
      // The server does not answer: the login page says so and is the place to try again.
      signedIn = false
    }
    if (to.name === 'login') return signedIn ? { name: 'alerts' } : true
    return signedIn ? true : { name: 'login', query: to.path === '/' ? {} : { next: to.fullPath } }
  })
  return router
}
