import type { Camera, CameraInput } from '@/api/types'

export interface CameraForm {
  name: string
  url: string
  username: string
  password: string
  transport: 'tcp' | 'udp'
  edge_id: string
}

export function formOf(camera: Camera | null): CameraForm {
  return {
    name: camera?.name ?? '',
    url: camera?.url ?? 'rtsp://',
    username: camera?.username ?? '',
    password: '',
    transport: camera?.transport ?? 'tcp',
    edge_id: camera?.edge_id ?? '',
  }
}

/** What can be said before asking the server: field to key of the text. */
export function check(form: CameraForm): Record<string, string> {
  const found: Record<string, string> = {}
  if (form.name.trim() === '') found.name = 'cameras.nameMissing'
  if (!/^(rtsps?:\/\/[^/\s]+|gb28181:\/\/\d{20}(\/\d{20})?([?].*)?$)/i.test(form.url.trim())) found.url = 'cameras.urlWrong'
  else if (/^rtsps?:\/\/[^/]*@/i.test(form.url.trim())) found.url = 'cameras.urlCredentials'
  if (form.password !== '' && form.username.trim() === '') found.username = 'cameras.passwordWithoutUser'
  return found
}

/** What is sent. A password that is left empty is left out, which keeps the one there is. */
export function inputOf(form: CameraForm, version: number | undefined): CameraInput {
  const username = form.username.trim()
  return {
    name: form.name.trim(),
    url: form.url.trim(),
    username: username === '' ? null : username,
    ...(form.password === '' ? {} : { password: form.password }),
    transport: form.transport,
    ...(form.edge_id === '' ? {} : { edge_id: form.edge_id }),
    ...(version === undefined ? {} : { version }),
  }
}
