import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, inject, it } from 'vitest'
import { desk, phone, useBrowser } from './browser'

const { signIn } = useBrowser()
const pages = ['/alerts', '/live', '/cameras', '/tasks', '/edges', '/system', '/nowhere']
const rawKey = /\b(app|common|alerts|live|cameras|tasks|edges|system|eventState|streamState|severity)\.[a-z]\w*/

describe.each(['zh', 'en'] as const)('in %s', (language) => {
  describe.each([
    ['on a desk', desk, 'light'],
    ['on a phone', phone, 'dark'],
  ] as const)('%s', (_, viewport, colorScheme) => {
    it.each(pages)('%s stands without errors, raw keys or sideways scrolling', async (path) => {
      const page = await signIn(path, { viewport, colorScheme, language, username: 'admin' })
      await page.locator('main h1, main .title, main h2').first().waitFor()
      await page.waitForLoadState('networkidle').catch(() => undefined)
      const text = await page.locator('body').innerText()
      expect(rawKey.exec(text)?.[0]).toBeUndefined()
      if (language === 'en') expect(await page.locator('nav').innerText()).not.toMatch(/[\u4e00-\u9fff]{2,}(?<!工哨)/)
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect(overflow).toBeLessThanOrEqual(0)
    })
  })
})

it('loads at most 300 kB before the first page', () => {
  const outDir = inject('outDir')
  const html = readFileSync(join(outDir, 'index.html'), 'utf8')
  const files = [...html.matchAll(/(?:src|href)="\/(assets\/[^"]+)"/g)].map((match) => match[1] ?? '')
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(outDir, file))).length, gzipSync(html).length)
  expect(files.length).toBeGreaterThan(1)
  expect(bytes).toBeLessThan(300_000)
})

it('asks no other origin for anything and evaluates nothing', () => {
  const outDir = inject('outDir')
  const html = readFileSync(join(outDir, 'index.html'), 'utf8')
  expect(html).not.toMatch(/https?:\/\//)
  expect(html).not.toMatch(/<script(?![^>]*\bsrc=)/)
})
