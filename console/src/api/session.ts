import { api, body } from './client'

const path = '/api/v1/session'

export const session = {
  read: () => body(api.GET(path)),
  signIn: (username: string, password: string) => body(api.POST(path, { body: { username, password } })),
  signOut: () => body(api.DELETE(path)),
  changePassword: (current: string, next: string) =>
    body(api.POST('/api/v1/session/password', { body: { current, new: next } })),
}
