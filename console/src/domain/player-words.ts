import { computed, type ComputedRef, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { sentence } from '@/api/errors'
import type { PlayerStatus } from '@/ui/player/live-session'

/** What stands over a picture that does not play: what is wrong and what to do; null while it plays. */
export function usePlayerWords(status: Ref<PlayerStatus>): ComputedRef<{ title: string; text: string } | null> {
  const { t, te, locale } = useI18n()
  return computed(() => {
    const now = status.value
    switch (now.kind) {
      case 'connecting':
        return { title: t('player.connecting'), text: '' }
      case 'silent':
        return { title: t('player.silent'), text: t('streamAdvice.no_frames') }
      case 'lost':
        return { title: t('player.lost'), text: '' }
      case 'refused':
        return { title: t('player.refused'), text: sentence(now.error, locale.value) }
      case 'codec':
        return { title: t('streamState.unsupported'), text: t('player.codec', { codec: now.codec }) }
      case 'stream': {
        const known = te(`streamState.${now.state}`)
        return {
          title: known ? t(`streamState.${now.state}`) : now.state,
          text: known ? t(`streamAdvice.${now.state}`) : now.detail,
        }
      }
      default:
        return null
    }
  })
}
