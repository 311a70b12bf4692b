import { createI18n } from 'vue-i18n'
import { common } from './common'
import { domain } from './domain'
import type { Messages, Translations } from './define'

const features = import.meta.glob<{ default: Translations }>('../features/*/messages.ts', { eager: true })

/** All texts of one language: the common ones, and each feature's under the feature's name. */
export function gather(language: 'zh' | 'en'): Messages {
  const all: Messages = { ...common[language], ...domain[language] }
  for (const [path, module] of Object.entries(features)) {
    const feature = path.split('/').at(-2) ?? ''
    all[feature] = module.default[language]
  }
  return all
}

export const i18n = createI18n({
  legacy: false,
  locale: 'zh',
  fallbackLocale: 'zh',
  messages: { zh: gather('zh'), en: gather('en') },
})
