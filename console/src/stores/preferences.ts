import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

export type Theme = 'light' | 'dark' | 'system'
export type Language = 'zh' | 'en'

interface Stored {
  theme: Theme
  language: Language
}

const storageKey = 'gongshao.preferences'

function read(): Stored {
  const fallback: Stored = { theme: 'system', language: 'zh' }
  try {
    return { ...fallback, ...(JSON.parse(localStorage.getItem(storageKey) ?? '{}') as Partial<Stored>) }
  } catch {
    return fallback
  }
}

/** Choices of this browser. */
export const usePreferences = defineStore('preferences', () => {
  const stored = read()
  const theme = ref<Theme>(stored.theme)
  const language = ref<Language>(stored.language)
  watch([theme, language], () => {
    localStorage.setItem(storageKey, JSON.stringify({ theme: theme.value, language: language.value }))
  })
  return { theme, language }
})
