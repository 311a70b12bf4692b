import { onScopeDispose, ref, type Ref } from 'vue'

/** Whether the window is as narrow as a phone held upright. */
export function useIsPhone(): Readonly<Ref<boolean>> {
  const query = matchMedia('(max-width: 760px)')
  const matches = ref(query.matches)
  const update = () => (matches.value = query.matches)
  query.addEventListener('change', update)
  onScopeDispose(() => query.removeEventListener('change', update))
  return matches
}
