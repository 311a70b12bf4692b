// An alert in a real browser, from a real installation: signs in, sees an alert arrive by itself with its picture
// and boxes, plays its clip, and watches the live wall.
//
//   node tests/browser/alert.mjs BASE_URL PASSWORD [FOLDER_FOR_SCREENSHOTS]
//
// Prints one JSON line with what was measured; exits with 1 and the reason when something is not as it should be.
import { createRequire } from 'node:module'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const require = createRequire(new URL('../../console/package.json', import.meta.url))
const { chromium } = require('playwright-core')
const [base, password, folder] = process.argv.slice(2)
if (!base || !password) throw new Error('usage: alert.mjs BASE_URL PASSWORD [FOLDER]')
if (folder) mkdirSync(folder, { recursive: true })

const profile = mkdtempSync(join(tmpdir(), 'gongshao-browser-'))
const browser = await chromium.launchPersistentContext(profile, {
  executablePath: ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find((path) => existsSync(path)),
  viewport: { width: 1600, height: 900 },
  locale: 'zh-CN',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--autoplay-policy=no-user-gesture-required',
  ],
})
const page = browser.pages()[0] ?? (await browser.newPage())
const complaints = []
page.on('console', (message) => {
  // The session request before signing in answers 401, which the browser itself reports.
  if (message.type() === 'error' && !/401/.test(message.text())) complaints.push(message.text())
})
page.on('pageerror', (error) => complaints.push(String(error)))

const shot = async (name) => {
  if (folder) await page.screenshot({ path: join(folder, `${name}.png`) })
}

async function signIn() {
  await page.goto(base)
  await page.locator('#username').fill('admin')
  await page.locator('#password').fill(password)
  await page.locator('button[type=submit]').click()
  await page.locator('.card button.choose').first().waitFor({ timeout: 60_000 })
}

/** From the rule's decision to the card in the page, milliseconds; both clocks are this machine's. */
async function arrival() {
  return page.evaluate(
    () =>
      new Promise((resolve, reject) => {
        const newest = async () => (await (await fetch('/api/v1/events?limit=1')).json()).items[0]
        const fail = setTimeout(() => reject(new Error('no further alert arrived by itself within 90 s')), 90_000)
        newest().then((before) => {
          const look = new MutationObserver(async () => {
            const seenAt = Date.now()
            const now = await newest()
            if (now.id === before.id) return
            look.disconnect()
            clearTimeout(fail)
            resolve(seenAt - now.decided_at / 1000)
          })
          look.observe(document.body, { childList: true, subtree: true })
        }, reject)
      }),
  )
}

const playing = (selector, seconds) =>
  page.waitForFunction(
    ([what, least]) => {
      const video = document.querySelector(what)
      return video && video.readyState >= 2 && video.videoWidth > 0 && video.currentTime >= least
    },
    [selector, seconds],
    { timeout: 40_000 },
  )

try {
  await signIn()
  const arrivalMs = await arrival()
  // An alert that is old enough to have its clip.
  const cards = page.locator('.card button.choose')
  await cards.nth((await cards.count()) - 1).click()
  await page.locator('.overlay .box').first().waitFor({ timeout: 10_000 })
  await playing('video', 0.5)
  await shot('alerts')

  await page.goto(`${base}/live`)
  await playing('video', 0.5)
  // Boxes over live video are painted on a canvas.
  const painted = () => {
    const canvas = document.querySelector('canvas')
    if (!canvas?.width) return false
    return canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0)
  }
  await page.waitForFunction(painted, undefined, { timeout: 20_000 })
  const first = await page.evaluate(() => document.querySelector('video').currentTime)
  await page.waitForFunction((from) => document.querySelector('video').currentTime > from + 2, first, { timeout: 20_000 })
  await shot('live')
  for (const name of ['cameras', 'tasks', 'edges', 'system']) {
    await page.goto(`${base}/${name}`)
    await page.waitForLoadState('networkidle', { timeout: 5_000 }).catch(() => {})
    await shot(name)
  }
  if (complaints.length > 0) throw new Error(`the browser's console complains: ${complaints.join(' | ')}`)
  console.log(JSON.stringify({ arrival_ms: Math.round(arrivalMs) }))
} catch (error) {
  await shot('failure')
  console.error(String(error))
  if (complaints.length > 0) console.error(`the browser's console: ${complaints.join(' | ')}`)
  process.exitCode = 1
} finally {
  await browser.close()
  rmSync(profile, { recursive: true, force: true })
}
