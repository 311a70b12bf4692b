import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, inject, it } from 'vitest'
import { desk, phone, seriousFaults, useBrowser } from './browser'

const { signIn } = useBrowser()
const pages = ['/alerts', '/live', '/cameras', '/tasks', '/edges', '/stats', '/board', '/system', '/nowhere']
const rawKey = /\b(app|common|alerts|live|cameras|tasks|edges|stats|board|system|eventState|streamState|severity)\.[a-z]\w*/

describe.each(['zh', 'en'] as const)('in %s', (language) => {
  it.each([
    ['on a desk', desk, 'light'],
    ['on a phone', phone, 'dark'],
  ] as const)('%s every page stands without errors, raw keys or sideways scrolling', async (_, viewport, colorScheme) => {
    const page = await signIn('/system', { viewport, colorScheme, language, username: 'admin' })
    for (const path of pages) {
      await page.goto(path)
      await page.locator('main h1, main .title, main h2').first().waitFor()
      // What follows the first paint: lists, pictures, players.
      await page.locator('.spin').first().waitFor({ state: 'detached' })
      const text = await page.locator('body').innerText()
      expect([path, rawKey.exec(text)?.[0]]).toEqual([path, undefined])
      if (language === 'en') expect(await page.locator('nav').innerText()).not.toMatch(/\p{Script=Han}{2}/u)
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
      expect([path, overflow]).toEqual([path, 0])
      expect([path, await seriousFaults(page)]).toEqual([path, []])
    }
    // Nine pages, each looked over by axe: a minute on a machine with much else to do.
  }, 240_000)
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
