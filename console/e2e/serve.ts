/** Builds the console as it ships and serves it over the mock, under the shipped security policy. */
import { fileURLToPath } from 'node:url'
import { build, preview } from 'vite'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    baseUrl: string
    outDir: string
  }
}

const root = fileURLToPath(new URL('..', import.meta.url))
const outDir = fileURLToPath(new URL('../node_modules/.cache/e2e-dist', import.meta.url))

export default async function setup(project: TestProject) {
  // Tests raise alerts when they want them.
  process.env.MOCK_ALERT_EVERY_MS = '0'
  await build({ root, mode: 'production', logLevel: 'error', build: { outDir, emptyOutDir: true } })
  const server = await preview({ root, mode: 'mock', logLevel: 'warn', build: { outDir }, preview: { port: 0, host: '127.0.0.1' } })
  const address = server.httpServer.address()
  if (address === null || typeof address === 'string') throw new Error('the preview server has no port')
  project.provide('baseUrl', `http://127.0.0.1:${address.port}`)
  project.provide('outDir', outDir)
  return () => server.close()
}
