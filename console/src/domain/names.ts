import { useI18n } from 'vue-i18n'
import { useAlgorithms } from '@/api/tasks'

/** Names of algorithms and object classes in the language of the console. */
export function useNames() {
  const { t, te, locale } = useI18n()
  const algorithms = useAlgorithms()

  function algorithmName(id: string): string {
    const found = algorithms.data.value?.find((algorithm) => algorithm.id === id)
    if (!found) return id
    return locale.value === 'zh' ? found.name_zh : found.name_en
  }

  function className(name: string): string {
    return te(`objectClass.${name}`) ? t(`objectClass.${name}`) : name
  }

  return { algorithmName, className, algorithms }
}
