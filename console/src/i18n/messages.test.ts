import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Messages } from './define'
import { gather, i18n } from './index'

const root = new URL('..', import.meta.url).pathname

function flat(messages: Messages, prefix = ''): Map<string, string> {
  const keys = new Map<string, string>()
  for (const [key, value] of Object.entries(messages)) {
    if (typeof value === 'string') keys.set(prefix + key, value)
    else flat(value, `${prefix}${key}.`).forEach((text, inner) => keys.set(inner, text))
  }
  return keys
}

const zh = flat(gather('zh'))
const en = flat(gather('en'))
const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]).sort()

function sources(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return sources(path)
    return /\.(ts|vue)$/.test(entry.name) && !entry.name.includes('.test.') ? [path] : []
  })
}

describe('the texts', () => {
  it('exist in both languages with the same placeholders', () => {
    expect([...en.keys()].sort()).toEqual([...zh.keys()].sort())
    for (const [key, text] of zh) expect([key, placeholders(en.get(key) ?? '')]).toEqual([key, placeholders(text)])
  })

  it('are never empty, and English has no Chinese in it', () => {
    for (const [key, text] of [...zh, ...en]) expect([key, text.trim()]).not.toEqual([key, ''])
    for (const [key, text] of en) expect([key, /\p{Script=Han}/u.test(text)]).toEqual([key, false])
  })

  it('cover every key that the source names', () => {
    const missing: string[] = []
    for (const path of sources(root)) {
      const text = readFileSync(path, 'utf8')
      const whole = [...text.matchAll(/\bt\(\s*'([\w.]+)'/g)].map((match) => match[1] ?? '')
      const either = [...text.matchAll(/\bt\([^()']*\? '([\w.]+)' : '([\w.]+)'/g)].flatMap((match) => [match[1] ?? '', match[2] ?? ''])
      const open = [...text.matchAll(/\bt\(\s*`([\w.]+)\.\$\{/g)].map((match) => match[1] ?? '')
      for (const key of [...whole, ...either]) if (!zh.has(key)) missing.push(`${path}: ${key}`)
      for (const prefix of open) if (![...zh.keys()].some((key) => key.startsWith(`${prefix}.`))) missing.push(`${path}: ${prefix}.*`)
    }
    expect(missing).toEqual([])
  })

  it('compile without evaluating code, as the content security policy demands', () => {
    const evaluate = globalThis.Function
    globalThis.Function = (() => {
      throw new Error('unsafe-eval')
    }) as unknown as FunctionConstructor
    try {
      expect(i18n.global.t('time.seconds', { n: 4 })).toBe('4 秒前')
    } finally {
      globalThis.Function = evaluate
    }
  })
})
