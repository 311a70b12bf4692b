// Renders mock/film.mp4 (fragmented H.264, one key frame a second) from mock/scene.ts. Needs Chromium and ffmpeg:
//   npm run --silent mock:film
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'
import { runnerImport } from 'vite'

const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const { module: scene } = await runnerImport(here('scene.ts'), { configFile: false })
const framesPerSec = 10
const folder = mkdtempSync(join(tmpdir(), 'gongshao-film-'))
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu'],
})
try {
  const page = await browser.newPage({ viewport: { width: 640, height: 360 } })
  for (let i = 0; i < scene.loopSecs * framesPerSec; i += 1) {
    const svg = scene.picture(i / framesPerSec)
    await page.setContent(`<style>body{margin:0}svg{width:640px;height:360px;display:block}</style>${svg}`)
    writeFileSync(join(folder, `${String(i).padStart(4, '0')}.png`), await page.screenshot())
  }
  const made = spawnSync(
    'ffmpeg',
    ['-y', '-loglevel', 'error', '-framerate', String(framesPerSec), '-i', join(folder, '%04d.png')]
      .concat(['-c:v', 'libx264', '-profile:v', 'main', '-pix_fmt', 'yuv420p', '-crf', '30', '-preset', 'veryslow', '-bf', '0'])
      .concat(['-g', String(framesPerSec), '-keyint_min', String(framesPerSec), '-sc_threshold', '0', '-bitexact'])
      .concat(['-movflags', 'empty_moov+default_base_moof+omit_tfhd_offset', '-frag_duration', '200000', here('film.mp4')]),
    { stdio: 'inherit' },
  )
  process.exitCode = made.status ?? 1
} finally {
  await browser.close()
  rmSync(folder, { recursive: true, force: true })
}
