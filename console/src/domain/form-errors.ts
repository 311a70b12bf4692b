import { ref, shallowRef } from 'vue'
import { useI18n } from 'vue-i18n'
import { fieldOf, sentence } from '@/api/errors'

/** Shows each error in exactly one place: at its field when the form has that field, else above the form. */
export function useFormErrors(fields: readonly string[]) {
  const { locale } = useI18n()
  const failure = shallowRef<unknown>(null)
  const local = ref<Record<string, string>>({})

  const serverField = () => {
    const field = fieldOf(failure.value)
    // The server may name a part of a field, e.g. `zones[0].name`.
    return field === null ? undefined : fields.find((known) => field === known || field.startsWith(`${known}.`) || field.startsWith(`${known}[`))
  }

  return {
    /** What to show at a field. */
    at: (field: string): string => local.value[field] ?? (serverField() === field ? sentence(failure.value, locale.value) : ''),
    /** What belongs to no field. */
    general: (): string => (failure.value !== null && serverField() === undefined ? sentence(failure.value, locale.value) : ''),
    /** Takes what was found before sending; true when there is nothing. */
    check(found: Record<string, string>): boolean {
      failure.value = null
      local.value = found
      return Object.keys(found).length === 0
    },
    capture: (error: unknown) => (failure.value = error),
    clear() {
      failure.value = null
      local.value = {}
    },
  }
}
