import { onScopeDispose, ref, type Ref } from 'vue'

/** Whether the operating system asks for dark. */
export function useSystemDark(): Readonly<Ref<boolean>> {
  const query = matchMedia('(prefers-color-scheme: dark)')
  const dark = ref(query.matches)
  const update = () => (dark.value = query.matches)
  query.addEventListener('change', update)
  onScopeDispose(() => query.removeEventListener('change', update))
  return dark
}
