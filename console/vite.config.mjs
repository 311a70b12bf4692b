import { fileURLToPath } from 'node:url'
import vue from '@vitejs/plugin-vue'
import Components from 'unplugin-vue-components/vite'
import { ElementPlusResolver } from 'unplugin-vue-components/resolvers'
import { defineConfig, runnerImport } from 'vite'
import { licences } from './build/licences.mjs'

/** The policy the control plane serves the console under; preview uses it too, so that tests notice a breach. */
const contentSecurityPolicy =
  "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; style-src 'self' 'unsafe-inline'; connect-src 'self'; object-src 'none'; base-uri 'self'; frame-ancestors 'none'"

/** Only where it is wanted: a production build never sees the mock. */
async function mockBackend() {
  const { module } = await runnerImport(fileURLToPath(new URL('./mock/plugin.ts', import.meta.url)), { configFile: false })
  return module.mockBackend()
}

export default defineConfig(async ({ mode }) => {
  const plane = process.env.GONGSHAO_PLANE ?? 'http://127.0.0.1:8080'
  const proxy =
    mode === 'mock' ? undefined : { '/api': plane, '/healthz': plane, '/live': { target: plane, ws: true } }
  return {
    plugins: [
      vue(),
      Components({ dts: false, dirs: [], resolvers: [ElementPlusResolver({ importStyle: 'css' })] }),
      licences(),
      ...(mode === 'mock' ? [await mockBackend()] : []),
    ],
    resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
    define: {
      __VUE_I18N_FULL_INSTALL__: 'false',
      __VUE_I18N_LEGACY_API__: 'false',
      __INTLIFY_PROD_DEVTOOLS__: 'false',
    },
    server: { proxy },
    preview: { headers: { 'content-security-policy': contentSecurityPolicy }, proxy },
    build: { target: 'es2022', assetsInlineLimit: 0, chunkSizeWarningLimit: 700, modulePreload: { polyfill: false } },
    test: { include: ['src/**/*.test.ts'], environment: 'node' },
  }
})
