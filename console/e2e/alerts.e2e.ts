import { expect, it } from 'vitest'
import { desk, phone, useBrowser } from './browser'

const { open, signIn, raise, cut, forgive } = useBrowser()

it('refuses a wrong password in words and lets the right one in', async () => {
  const page = await open('/alerts')
  await page.getByLabel('用户名').fill('admin')
  await page.getByLabel('密码', { exact: true }).fill('wrong')
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByText('用户名或密码错误。').waitFor()
  await page.getByLabel('密码', { exact: true }).fill('gongshao')
  await page.getByRole('button', { name: '登录' }).click()
  await page.getByRole('heading', { name: '告警中心' }).waitFor()
  await page.getByText('您正在使用一次性密码').waitFor()
  forgive()
})

it('shows an alert that arrives by itself, with its picture, boxes and later its clip', async () => {
  const page = await signIn('/alerts')
  await page.locator('[data-event]').first().waitFor()
  await page.mouse.move(desk.width - 200, 500)
  const alert = await raise()
  const card = page.locator(`[data-event="${alert.id}"]`)
  await card.waitFor({ timeout: 5_000 })
  await card.getByTitle('未读').waitFor()
  await card.click()
  await page.waitForURL(`**/alerts/${alert.id}`)
  await expect.poll(() => page.locator('img.picture').evaluate((image: HTMLImageElement) => image.naturalWidth)).toBeGreaterThan(0)
  expect(await page.locator('.stage .box').count()).toBeGreaterThan(2)
  await page.getByText('告警依据').waitFor()
  await page.getByText(/最近 5 次判断中有 4 次/).waitFor()
  await page.getByText('片段正在生成').waitFor()
  const clip = page.locator('video.clip')
  await clip.waitFor({ timeout: 15_000 })
  await expect.poll(() => clip.evaluate((video: HTMLVideoElement) => video.currentTime), { timeout: 10_000 }).toBeGreaterThan(0.2)
  await page.keyboard.press('b')
  await expect.poll(() => page.locator('.stage .box').count()).toBe(0)
})

it('does not move what is being read: arrivals wait behind a pill', async () => {
  const page = await signIn('/alerts')
  const rows = page.locator('[data-event]')
  await rows.nth(20).scrollIntoViewIfNeeded()
  const scroller = page.locator('.scroller')
  const before = await scroller.evaluate((element) => element.scrollTop)
  expect(before).toBeGreaterThan(100)
  const alert = await raise()
  await page.getByRole('button', { name: /1 条新告警/ }).click()
  await page.locator(`[data-event="${alert.id}"]`).waitFor()
  expect(await scroller.evaluate((element) => element.scrollTop)).toBe(0)
})

it('is worked through by keyboard alone', async () => {
  const page = await signIn('/alerts')
  await page.locator('[data-event]').nth(10).waitFor()
  const current = () => page.url().split('/').at(-1) ?? ''
  const title = page.locator('.detail h2')
  const stateOf = (id: string) => page.locator(`[data-event="${id}"] .state`).textContent()
  await title.waitFor()

  const first = current()
  await page.keyboard.press('j')
  await expect.poll(current).not.toBe(first)
  await page.keyboard.press('k')
  await expect.poll(current).toBe(first)

  const keys: [string, string][] = [['1', '已确认'], ['4', '已忽略'], ['3', '已派单'], ['1', '已确认'], ['4', '已忽略'], ['1', '已确认']]
  for (const [key, state] of keys) {
    const id = current()
    await page.getByRole('button', { name: '确认', exact: true }).and(page.locator(':enabled')).waitFor()
    await page.keyboard.press(key)
    await expect.poll(() => stateOf(id)).toBe(state)
    await expect.poll(current).not.toBe(id)
  }

  const wrong = current()
  await page.locator('.bar').getByRole('button', { name: '误报' }).and(page.locator(':enabled')).waitFor()
  await page.keyboard.press('2')
  await page.getByText('误报原因').waitFor()
  await page.keyboard.press('3')
  await expect.poll(() => stateOf(wrong)).toBe('误报')
  await page.keyboard.press('u')
  await expect.poll(() => stateOf(wrong)).toBe('待处理')
  await expect.poll(current).toBe(wrong)

  await page.keyboard.press(' ')
  await page.locator('.stage video').waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog').getByText('快捷键').waitFor()
  await page.keyboard.press('Escape')
})

it('writes in the remark field without triggering keys, and keeps the remark', async () => {
  const page = await signIn('/alerts')
  await page.locator('.detail h2').waitFor()
  const id = page.url().split('/').at(-1) ?? ''
  const remark = page.getByLabel('备注')
  await remark.fill('已电话通知 1 号楼班长')
  await remark.press('1')
  expect(page.url()).toContain(id)
  await page.getByRole('button', { name: '确认', exact: true }).click()
  await page.getByRole('status').filter({ hasText: '已确认' }).waitFor()
  await page.goto(`/alerts/${id}?state=confirmed`)
  await page.getByText('已电话通知 1 号楼班长1').waitFor()
})

it('lets a viewer look, and says why he may not act', async () => {
  const page = await signIn('/alerts', { username: 'kan' })
  const confirm = page.getByRole('button', { name: '确认', exact: true })
  await confirm.waitFor()
  expect(await confirm.isDisabled()).toBe(true)
  expect(await confirm.getAttribute('title')).toBe('您的账号没有此操作的权限')
})

it('works on a phone: queue, detail, action, back', async () => {
  const page = await signIn('/alerts', { viewport: phone, hasTouch: true, isMobile: true })
  await page.locator('[data-event]').first().waitFor()
  expect(page.url()).toMatch(/\/alerts$/)
  await page.locator('[data-event]').first().tap()
  await page.locator('img.picture').waitFor()
  expect(await page.locator('.stage .box').count()).toBeGreaterThan(2)
  await page.getByRole('button', { name: '返回列表' }).tap()
  await page.getByRole('heading', { name: '告警中心' }).waitFor()
  await page.getByRole('button', { name: '筛选' }).tap()
  await page.getByRole('button', { name: /全部状态/ }).waitFor()
})

it('says when the connection is lost and takes up the missed alerts after it', async () => {
  const page = await signIn('/alerts')
  await page.locator('[data-event]').first().waitFor()
  await page.mouse.move(desk.width - 200, 500)
  await page.getByTitle('实时连接正常').waitFor()
  await cut(3_000)
  await page.getByText('与服务器的连接已断开').waitFor()
  const alert = await raise()
  await page.locator(`[data-event="${alert.id}"]`).waitFor({ timeout: 20_000 })
  forgive()
})
