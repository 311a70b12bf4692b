import { defineStore } from 'pinia'
import { ref, watch } from 'vue'

export type Theme = 'light' | 'dark' | 'system'
export type Language = 'zh' | 'en'

interface Stored {
  theme: Theme
  language: Language
  /** The alert queue as a table instead of cards. */
  alertsAsTable: boolean
  /** Alerts of the same subject folded into one row. */
  foldAlerts: boolean
}

const storageKey = 'gongshao.preferences'

function read(): Stored {
  const fallback: Stored = { theme: 'system', language: 'zh', alertsAsTable: false, foldAlerts: false }
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
  const alertsAsTable = ref(stored.alertsAsTable)
  const foldAlerts = ref(stored.foldAlerts)
  watch([theme, language, alertsAsTable, foldAlerts], () => {
    const now: Stored = { theme: theme.value, language: language.value, alertsAsTable: alertsAsTable.value, foldAlerts: foldAlerts.value }
    localStorage.setItem(storageKey, JSON.stringify(now))
  })
  return { theme, language, alertsAsTable, foldAlerts }
})
