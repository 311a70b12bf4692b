import { loadavg } from 'node:os'
import { expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { useBrowser } from './browser'

const { signIn, reset } = useBrowser()

const rows = (page: Page) => page.locator('[data-event]')
const idOf = (page: Page) => page.url().split('/').at(-1)?.split('?')[0] ?? ''
const pendingLeft = async (page: Page) => {
  const counters = await page.evaluate(async () => (await fetch('/api/v1/events/counters')).json())
  return (counters as { by_state: Record<string, number> }).by_state.pending ?? 0
}

/** Measures, in the page, from a key that decides to the next alert standing there with its picture. */
async function watchSteps(page: Page): Promise<void> {
  await page.evaluate(() => {
    const steps: number[] = []
    Object.assign(window, { steps })
    const picture = () => document.querySelector<HTMLImageElement>('img.picture')
    window.addEventListener(
      'keydown',
      (press) => {
        if (!['1', '4'].includes(press.key)) return
        const begun = performance.now()
        const before = location.pathname
        const look = () => {
          const image = picture()
          const stands = location.pathname !== before && document.querySelector('article[data-id]')?.getAttribute('data-id') === location.pathname.split('/').at(-1)
          if (stands && image?.complete && image.naturalWidth > 0) steps.push(performance.now() - begun)
          else if (performance.now() - begun < 5_000) requestAnimationFrame(look)
          else steps.push(5_000)
        }
        requestAnimationFrame(look)
      },
      true,
    )
  })
}

it('lets a supervisor work through 100 alerts by keyboard alone, each next one at once', async () => {
  await reset(240)
  const page = await signIn('/alerts')
  await page.locator('.detail h2').waitFor()
  await watchSteps(page)
  const before = await pendingLeft(page)
  // Only keys: confirm, ignore, and now and then a false alarm with its reason.
  for (let n = 0; n < 100; n += 1) {
    const id = idOf(page)
    await page.locator(`article[data-id="${id}"] .act.confirm:enabled`).waitFor()
    if (n % 10 === 7) {
      await page.keyboard.press('2')
      await page.keyboard.press('4')
    } else {
      await page.keyboard.press(n % 3 === 0 ? '4' : '1')
    }
    await page.waitForURL((url) => !url.pathname.endsWith(id))
  }
  await expect.poll(() => pendingLeft(page)).toBe(before - 100)
  await expect.poll(() => page.evaluate(() => (window as unknown as { steps: number[] }).steps.length)).toBe(100)
  const steps = (await page.evaluate(() => (window as unknown as { steps: number[] }).steps)).toSorted((a, b) => a - b)
  const at = (share: number) => Math.round(steps[Math.floor(steps.length * share)] ?? Infinity)
  process.stdout.write(`next alert shown after: median ${at(0.5)} ms, p95 ${at(0.95)} ms, most ${at(0.999)} ms\n`)
  // A machine with more work than processors measures its own queue, not the console.
  const isBusy = (loadavg()[0] ?? 0) > 2
  expect(at(0.95)).toBeLessThan(isBusy ? 1_000 : 200)
}, 120_000)

it('marks by X, Shift and Ctrl+A, and handles all marked alerts at once, and takes it back', async () => {
  const page = await signIn('/alerts')
  await page.locator('.detail h2').waitFor()
  const before = await pendingLeft(page)
  await page.keyboard.press('x')
  for (let n = 0; n < 4; n += 1) await page.keyboard.press('Shift+J')
  await page.getByText('已选 5 条').waitFor()
  await page.keyboard.press('2')
  await page.keyboard.press('4')
  await page.getByText('5 条告警:误报').waitFor()
  expect(await pendingLeft(page)).toBe(before - 5)
  await page.keyboard.press('u')
  await page.getByText('已撤销 5 条').waitFor()
  expect(await pendingLeft(page)).toBe(before)
  await page.keyboard.press('Control+a')
  await page.getByText(`已选 ${before} 条`).waitFor()
  await page.keyboard.press('Escape')
  await page.getByText('已选').waitFor({ state: 'detached' })
})

it('says which of many could not be handled and keeps them marked', async () => {
  const page = await signIn('/alerts')
  await page.locator('.detail h2').waitFor()
  const first = idOf(page)
  // Somebody else is faster, and this page has not heard of it yet.
  await page.route('**/api/v1/stream*', (route) => route.abort())
  await page.keyboard.press('x')
  await page.keyboard.press('Shift+J')
  await page.getByText('已选 2 条').waitFor()
  await page.route('**/api/v1/events/bulk-actions', async (route) => {
    const body = route.request().postDataJSON() as { items: { id: string; version: number }[] }
    body.items = body.items.map((item) => (item.id === first ? { ...item, version: item.version + 7 } : item))
    await route.continue({ postData: JSON.stringify(body) })
  })
  await page.keyboard.press('1')
  await page.getByText('1 条没有处理成功,仍保持选中。').waitFor()
  await page.getByText('已选 1 条').waitFor()
})

it('holds ten thousand alerts in a table and draws only what is seen', async () => {
  await reset(10_000)
  const page = await signIn('/alerts?state=all')
  await page.getByRole('button', { name: '表格' }).click()
  await rows(page).first().waitFor()
  const scroller = page.locator('.scroller')
  const deadline = Date.now() + 90_000
  while (!(await page.getByText('已到最早一条').count())) {
    if (Date.now() > deadline) throw new Error('the list has no end')
    await scroller.evaluate((element) => element.scrollTo({ top: element.scrollHeight }))
    await page.waitForFunction(() => document.querySelector('.scroller')?.getAttribute('aria-busy') === 'false')
  }
  await page.getByText('10000 条', { exact: true }).waitFor()
  expect(await rows(page).count()).toBeLessThan(80)
  expect(await scroller.evaluate((element) => element.scrollHeight)).toBeGreaterThan(10_000 * 38)
  await scroller.evaluate((element) => element.scrollTo({ top: 5_000 * 38 }))
  await page.locator('[aria-posinset="5001"]').waitFor()
}, 120_000)

it('narrows by several values at once, by text and time, and keeps that as a view', async () => {
  const page = await signIn('/alerts')
  await rows(page).first().waitFor()
  await page.getByLabel('同时显示「已确认」').check()
  await page.waitForURL(/state=pending%2Cconfirmed|state=pending,confirmed/)
  await page.getByRole('button', { name: '重大', exact: true }).click()
  await page.keyboard.press('/')
  await page.keyboard.type('塔吊')
  await page.waitForURL(/q=/)
  await expect.poll(async () => new Set(await page.locator('.card .camera').allTextContents()).size).toBe(1)
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: '保存当前筛选' }).click()
  await page.getByPlaceholder('视图名称').fill('塔吊重大')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: '清除筛选' }).click()
  await page.waitForURL((url) => !url.search.includes('q='))
  await page.getByRole('button', { name: '塔吊重大', exact: true }).click()
  await page.waitForURL(/q=/)
  await page.reload()
  await page.getByRole('button', { name: '塔吊重大', exact: true }).waitFor()
  await page.getByLabel('时间').selectOption('today')
  await page.waitForURL(/time=today/)
})

it('folds alerts of the same subject and unfolds them by key', async () => {
  const page = await signIn('/alerts?state=all')
  await rows(page).first().waitFor()
  const all = await page.locator('.count.num').first().textContent()
  await page.getByRole('button', { name: '合并同一对象的告警' }).click()
  const badge = page.locator('.fold').first()
  await badge.waitFor()
  const size = Number((await badge.textContent())?.slice(1))
  expect(size).toBeGreaterThan(1)
  const folded = await page.locator('li.inner').count()
  expect(folded).toBe(0)
  await badge.click()
  await expect.poll(() => page.locator('li.inner').count()).toBe(size - 1)
  expect(await page.locator('.count.num').first().textContent()).toBe(all)
})

it('zooms to the subject by Z and exports what is shown', async () => {
  const page = await signIn('/alerts')
  await page.locator('img.picture').waitFor()
  const scale = () => page.locator('.view .content').evaluate((element) => new DOMMatrix(getComputedStyle(element).transform).a)
  expect(await scale()).toBe(1)
  await page.keyboard.press('z')
  await expect.poll(scale).toBeGreaterThan(1.4)
  await page.keyboard.press('j')
  await expect.poll(scale).toBe(1)
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: '导出为 CSV' }).click()])
  expect(file.suggestedFilename()).toBe('events.csv')
})
