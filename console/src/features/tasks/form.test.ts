import { expect, it } from 'vitest'
import type { Algorithm, AlgorithmId, Task } from '@/api/types'
import { check, formOf, inputOf, paramsOf } from './form'

const defaults = { min_score: 0.4, min_target_px: 40, votes_needed: 3, votes_window: 5, dwell_secs: 2, cool_down_secs: 600, task_cool_down_secs: 0, crowd_size: 4, sample_fps: 5 }
const algorithm = (id: string, more: object = {}) => ({ id: id as AlgorithmId, defaults: { ...defaults, ...more } as Algorithm['defaults'] })
const square = [{ x: 0.2, y: 0.2 }, { x: 0.6, y: 0.2 }, { x: 0.6, y: 0.6 }, { x: 0.2, y: 0.6 }]
const form = () => ({ ...formOf(null, []), name: '东门', camera_id: 'c' })

it('offers what the algorithm can use and the server knows', () => {
  expect(paramsOf(algorithm('crowd'))[0]).toBe('crowd_size')
  expect(paramsOf(algorithm('intrusion'))).not.toContain('crowd_size')
  expect(paramsOf(algorithm('fire_smoke'))).not.toContain('smoke_dwell_secs')
  expect(paramsOf(algorithm('fire_smoke', { smoke_dwell_secs: 10 }))[0]).toBe('smoke_dwell_secs')
  expect(paramsOf(algorithm('picture_quality'))).not.toContain('min_target_px')
})

it('sends zones and lines apart, and only what was set', () => {
  const input = inputOf(
    {
      ...form(),
      figures: [
        { name: ' 禁入区 ', kind: 'include', points: square },
        { name: '大门', kind: 'crossing_rightward', points: square.slice(0, 2) },
      ],
      params: { dwell_secs: 4, min_score: null },
    },
    3,
  )
  expect(input).toMatchObject({ zones: [{ name: '禁入区', kind: 'include' }], lines: [{ name: '大门', kind: 'crossing_rightward' }], params: { dwell_secs: 4 }, version: 3 })
  expect(input.params).not.toHaveProperty('min_score')
  const plain = inputOf(form(), undefined)
  // Empty lists are sent: an edit that takes the last line or holiday away must not keep it.
  expect(plain.lines).toEqual([])
  expect(plain.schedule?.holidays).toEqual([])
  expect(plain).not.toHaveProperty('version')
})

it('brings a stored task back unchanged', () => {
  const stored = { ...inputOf({ ...form(), figures: [{ name: 'a', kind: 'height', points: square.slice(0, 2) }, { name: 'b', kind: 'exclude', points: square }] }, undefined), severity: null } as unknown as Task
  expect(inputOf(formOf(stored, []), undefined)).toMatchObject(JSON.parse(JSON.stringify({ zones: stored.zones, lines: (stored as unknown as { lines: unknown }).lines })))
})

it('says what is missing before asking the server', () => {
  expect(Object.keys(check(formOf(null, [])))).toEqual(['name', 'camera_id'])
  expect(check({ ...form(), figures: [{ name: 'a', kind: 'include', points: square.slice(0, 2) }] }).zones?.key).toBe('tasks.zoneFault.few')
  expect(check({ ...form(), figures: [{ name: 'a', kind: 'crossing', points: square.slice(0, 2) }] })).toEqual({})
})
