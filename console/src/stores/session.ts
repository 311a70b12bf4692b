import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { ApiError } from '@/api/errors'
import { session as api } from '@/api/session'
import type { Role, User } from '@/api/types'

/** What a person may do, as the API document names it; the server decides, this only saves a click it would refuse. */
export type Permission = 'read' | 'handle_events' | 'configure'

const granted: Record<Permission, readonly Role[]> = {
  read: ['admin', 'supervisor', 'viewer'],
  handle_events: ['admin', 'supervisor'],
  configure: ['admin'],
}

export const useSession = defineStore('session', () => {
  const user = ref<User | null>(null)
  const known = ref(false)

  /** Asks the server once who we are; false when nobody is signed in. */
  async function restore(): Promise<boolean> {
    if (known.value) return user.value !== null
    try {
      user.value = (await api.read()).user
      known.value = true
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      user.value = null
      known.value = true
    }
    return user.value !== null
  }

  async function signIn(username: string, password: string): Promise<void> {
    user.value = (await api.signIn(username, password)).user
    known.value = true
  }

  async function signOut(): Promise<void> {
    await api.signOut()
    forget()
  }

  function forget(): void {
    user.value = null
    known.value = true
  }

  async function changePassword(current: string, next: string): Promise<void> {
    await api.changePassword(current, next)
    if (user.value) user.value = { ...user.value, must_change_password: false }
  }

  const can = computed(() => (permission: Permission) => user.value !== null && granted[permission].includes(user.value.role))

  return { user, known, restore, signIn, signOut, forget, changePassword, can }
})
