import { expect, it } from 'vitest'
import type { Page } from 'playwright-core'
import { useBrowser } from './browser'

const { signIn, raise } = useBrowser()

const clock = (page: Page, at = 0) => page.locator('video').nth(at).evaluate((video: HTMLVideoElement) => video.currentTime)
const lag = (page: Page) =>
  page
    .locator('video')
    .first()
    .evaluate((video: HTMLVideoElement) => (video.buffered.length > 0 ? video.buffered.end(video.buffered.length - 1) - video.currentTime : Infinity))

/** Whether the canvas over a picture has anything drawn on it. */
const isDrawn = (page: Page) =>
  page
    .locator('canvas')
    .first()
    .evaluate((canvas: HTMLCanvasElement) => {
      const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data
      return data?.some((value, index) => index % 4 === 3 && value > 0) ?? false
    })

it('plays the wall live, with boxes, and says plainly what is wrong with a camera', async () => {
  const page = await signIn('/live')
  await page.getByText('3 / 4 在线').waitFor()
  await expect.poll(() => page.locator('video').count()).toBe(4)
  await expect.poll(() => clock(page), { timeout: 15_000 }).toBeGreaterThan(0)
  const before = await clock(page)
  await expect.poll(() => clock(page), { timeout: 15_000 }).toBeGreaterThan(before + 2)
  await expect.poll(() => lag(page)).toBeLessThan(2)
  await expect.poll(() => isDrawn(page)).toBe(true)
  await page.locator('.fault').getByText('用户名或密码错误').waitFor()
  await page.getByText('请在摄像头设置中更正用户名和密码。').waitFor()
})

it('flashes the border of the camera that alarms, and changes its size by the address', async () => {
  const page = await signIn('/live?grid=9')
  await expect.poll(() => page.locator('.cell').count()).toBe(9)
  await expect.poll(() => clock(page), { timeout: 15_000 }).toBeGreaterThan(0)
  const alert = await raise()
  await page.locator('.cell[class*="alarm-"]').getByText(alert.camera_name).waitFor()
  await page.getByRole('button', { name: '1', exact: true }).click()
  await expect.poll(() => page.locator('.cell').count()).toBe(1)
  expect(page.url()).toContain('grid=1')
})

it('draws a zone over the live picture and saves it', async () => {
  const page = await signIn('/tasks', { username: 'admin' })
  const row = page.locator('[data-row]', { hasText: '东门安全帽' })
  await row.getByText('整个画面').waitFor()
  await row.getByRole('button', { name: '编辑' }).click()
  await page.getByRole('button', { name: '画检测区域' }).click()
  const editor = page.locator('[data-test="zone-editor"]')
  await expect.poll(() => clock(page), { timeout: 15_000 }).toBeGreaterThan(0)
  // Waits until the drawer stands still.
  await editor.hover({ position: { x: 4, y: 4 } })
  const box = await editor.boundingBox()
  if (!box) throw new Error('the zone editor has no place on the page')
  const at = (x: number, y: number) => [box.x + box.width * x, box.y + box.height * y] as const
  for (const [x, y] of [[0.2, 0.4], [0.8, 0.4], [0.8, 0.9], [0.2, 0.9]] as const) await page.mouse.click(...at(x, y))
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: '顶点 4' }).waitFor()
  await page.mouse.move(...at(0.8, 0.9))
  await page.mouse.down()
  await page.mouse.move(...at(0.6, 0.8), { steps: 4 })
  await page.mouse.up()
  await page.getByRole('button', { name: '保存' }).last().click()
  await row.getByText('1 检测 · 0 屏蔽').waitFor()
})

it('draws a line with a direction, takes it back and forth, and copies the task to another camera', async () => {
  const page = await signIn('/tasks', { username: 'admin' })
  const row = page.locator('[data-row]', { hasText: '东门安全帽' })
  await row.getByRole('button', { name: '编辑' }).click()
  const editor = page.locator('[data-test="zone-editor"]')
  await expect.poll(() => clock(page), { timeout: 15_000 }).toBeGreaterThan(0)
  await page.getByRole('button', { name: '画绊线' }).click()
  await editor.hover({ position: { x: 4, y: 4 } })
  const box = await editor.boundingBox()
  if (!box) throw new Error('the zone editor has no place on the page')
  for (const x of [0.3, 0.7]) await page.mouse.click(box.x + box.width * x, box.y + box.height * 0.6)
  await page.keyboard.press('Enter')
  await page.getByLabel('区域名称').waitFor()
  expect(await page.getByLabel('区域名称').inputValue()).toBe('绊线 1')
  expect(await page.locator('.arrow').count()).toBe(1)
  await page.keyboard.press('Control+z')
  await expect.poll(() => page.locator('.zone.line').count()).toBe(0)
  await page.keyboard.press('Control+y')
  await expect.poll(() => page.locator('.zone.line').count()).toBe(1)
  await page.getByRole('button', { name: '08–18 点' }).click()
  await page.getByLabel('日期').fill('2027-02-06')
  await page.getByRole('button', { name: '新增', exact: true }).click()
  await page.getByText('2027-02-06').waitFor()
  await page.getByRole('button', { name: '保存' }).last().click()
  await row.getByText('整个画面 · 1 条线').waitFor()
  await row.getByRole('button', { name: '复制' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('塔吊作业区').check()
  await dialog.getByRole('button', { name: '复制到 1 个摄像头' }).click()
  await expect.poll(() => page.locator('[data-row]', { hasText: '东门安全帽' }).count()).toBe(2)
})

it('shows what is wrong with a camera at its field, from here and from the server', async () => {
  const page = await signIn('/cameras', { username: 'admin' })
  await page.getByRole('button', { name: '新增摄像头' }).click()
  const drawer = page.getByRole('dialog')
  await drawer.getByRole('button', { name: '保存' }).last().click()
  await drawer.getByText('请输入名称').waitFor()
  await drawer.locator('[name=name]').fill('西门')
  await drawer.locator('[name=url]').fill('rtsp://192.0.2.77:554/ch1')
  await drawer.getByRole('button', { name: '保存' }).last().click()
  await page.locator('[data-row]', { hasText: '西门' }).getByText('未上报').first().waitFor()
})
