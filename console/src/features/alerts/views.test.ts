import { expect, it } from 'vitest'
import { waiting } from './filter'
import { filterOf, parseViews, withView } from './views'

it('keeps a filter under a name and replaces it by that name', () => {
  const red = { ...waiting, severities: ['red' as const], time: { kind: 'today' as const } }
  const views = withView(withView([], ' 今日重大 ', waiting), '今日重大', red)
  expect(views).toHaveLength(1)
  expect(views[0] && filterOf(views[0])).toMatchObject(red)
})

it('stands stored nonsense', () => {
  expect(parseViews(null)).toEqual([])
  expect(parseViews('{')).toEqual([])
  expect(parseViews('{"a":1}')).toEqual([])
  expect(parseViews('[null, 3, {"name":"a"}, {"name":"b","address":"state=all","extra":1}]')).toEqual([{ name: 'b', address: 'state=all' }])
})
