import { expect, it } from 'vitest'
import { check, formOf, inputOf } from './form'

const good = { ...formOf(null), name: ' gate ', url: 'rtsp://10.0.0.7/1' }

it.each([
  [{}, {}],
  [{ name: ' ' }, { name: 'cameras.nameMissing' }],
  [{ url: 'http://10.0.0.7' }, { url: 'cameras.urlWrong' }],
  [{ url: 'rtsp://' }, { url: 'cameras.urlWrong' }],
  [{ url: 'gb28181://34020000001320000001/34020000001310000001?stream=sub' }, {}],
  [{ url: 'gb28181://10.0.0.7/1' }, { url: 'cameras.urlWrong' }],
  [{ url: 'rtsp://admin:secret@10.0.0.7/' }, { url: 'cameras.urlCredentials' }],
  [{ password: 'x' }, { username: 'cameras.passwordWithoutUser' }],
])('%j', (part, expected) => {
  expect(check({ ...good, ...part })).toEqual(expected)
})

it('leaves an untouched password out, so that the server keeps it', () => {
  expect(inputOf(good, 3)).toEqual({ name: 'gate', url: 'rtsp://10.0.0.7/1', username: null, transport: 'tcp', version: 3 })
  expect(inputOf({ ...good, username: 'u', password: 'p' }, undefined)).toMatchObject({ username: 'u', password: 'p' })
})
