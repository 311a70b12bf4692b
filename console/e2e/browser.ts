/** A browser whose pages fail the test on any console error. */
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, inject } from 'vitest'

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export const desk = { width: 1920, height: 1080 }
export const phone = { width: 390, height: 844 }

const args = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run']
  .concat(['--disable-background-networking', '--disable-component-update', '--disable-sync'])
  .concat(['--autoplay-policy=no-user-gesture-required'])

/** What axe calls serious or worse on the page as it stands. */
export async function seriousFaults(page: Page): Promise<string[]> {
  // By the debugger, which the page's security policy does not hold back.
  await page.evaluate(axe)
  return page.evaluate(async () => {
    type Found = { impact: string | null; id: string; nodes: { target: string[]; html: string; any: { message: string }[] }[] }
    const { axe } = window as unknown as { axe: { run: (options: object) => Promise<{ violations: Found[] }> } }
    const { violations } = await axe.run({ resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] })
    return violations
      .filter((found) => found.impact === 'serious' || found.impact === 'critical')
      .flatMap((found) => found.nodes.slice(0, 4).map((node) => `${found.id}: ${node.target.join(' ')} ${node.any[0]?.message ?? ''}`))
  })
}

export function useBrowser() {
  const baseUrl = inject('baseUrl')
  let browser: Browser
  let complaints: string[] = []

  beforeAll(async () => {
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args })
  })
  afterAll(() => browser.close())
  // Every test starts from the same cameras, tasks and alerts, whichever ran before it.
  beforeEach(() => tell('reset'))
  afterEach(async () => {
    const seen = complaints
    complaints = []
    for (const context of browser.contexts()) await context.close()
    expect(seen).toEqual([])
  })

  async function open(path: string, options: BrowserContextOptions = {}): Promise<Page> {
    const context = await browser.newContext({ viewport: desk, baseURL: baseUrl, ...options })
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    page.on('pageerror', (error) => complaints.push(`exception: ${error.message}`))
    page.on('console', (message) => {
      if (!['error', 'warning'].includes(message.type())) return
      // The browser reports the answer "nobody is signed in", which is what was asked.
      if (message.location().url.endsWith('/api/v1/session')) return
      complaints.push(`${message.type()}: ${message.text()}`)
    })
    await page.goto(path)
    return page
  }

  async function signIn(path: string, options: BrowserContextOptions & { username?: string; language?: 'zh' | 'en' } = {}): Promise<Page> {
    const { username = 'zhiban', language = 'zh', ...rest } = options
    const page = await open('/login', rest)
    await page.evaluate((text) => localStorage.setItem('gongshao.preferences', text), JSON.stringify({ theme: 'system', language }))
    await page.goto(`/login?next=${encodeURIComponent(path)}`)
    await page.locator('#username').fill(username)
    await page.locator('#password').fill('gongshao')
    await page.locator('button[type=submit]').click()
    await live(page)
    return page
  }

  /** Waits until the page has caught up and follows the change stream: what is raised from here on arrives by it. */
  async function live(page: Page): Promise<void> {
    await page.locator('.link-dot.open').waitFor({ state: 'attached', timeout: 40_000 })
  }

  async function tell(what: string): Promise<Response> {
    const answer = await fetch(`${baseUrl}/mock/${what}`, { method: 'POST' })
    if (!answer.ok) throw new Error(`the mock refuses ${what}: ${await answer.text()}`)
    return answer
  }

  /** Lets the mock raise an alert now, without its clip. */
  async function raise(): Promise<{ id: string; camera_name: string }> {
    return (await (await tell('alert')).json()) as { id: string; camera_name: string }
  }

  return {
    /** Begins anew with that many alerts. */
    reset: (history: number) => tell(`reset?history=${history}`),
    open,
    signIn,
    live,
    raise,
    /** Lets the clip of an alert arrive. */
    addClip: (id: string) => tell(`clip/${id}`),
    /** Lets the mock drop every change stream and refuse new ones until `mend`. */
    cut: () => tell('cut'),
    mend: () => tell('mend'),
    /** Lets the mock drop its log of changes, so that a stream that comes back must fetch again. */
    forget: () => tell('forget'),
    /** For tests that provoke an error on purpose. */
    forgive: () => (complaints = []),
  }
}
