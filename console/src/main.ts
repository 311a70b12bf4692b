import { createApp } from 'vue'
import { createPinia } from 'pinia'
import { VueQueryPlugin, QueryClient } from '@tanstack/vue-query'
import 'element-plus/theme-chalk/base.css'
import 'element-plus/theme-chalk/dark/css-vars.css'
import 'element-plus/theme-chalk/el-message.css'
import 'element-plus/theme-chalk/el-message-box.css'
import './app/theme.css'
import App from './app/App.vue'
import { makeRouter } from './app/router'
import { ApiError } from './api/errors'
import { whenSignedOut } from './api/client'
import { i18n } from './i18n'
import { useSession } from './stores/session'

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The change stream tells what is stale.
      staleTime: 60_000,
      refetchOnWindowFocus: false,
      retry: (failures, error) => failures < 3 && (!(error instanceof ApiError) || error.status === 0 || error.status >= 500),
    },
  },
})

const app = createApp(App)
app.use(createPinia())
app.use(i18n)
app.use(VueQueryPlugin, { queryClient })
const router = makeRouter()
app.use(router)

whenSignedOut(() => {
  useSession().forget()
  queryClient.clear()
  const from = router.currentRoute.value
  if (from.name !== 'login') void router.push({ name: 'login', query: { next: from.fullPath } })
})

app.mount('#app')
