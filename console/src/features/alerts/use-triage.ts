import { useQueryClient } from '@tanstack/vue-query'
import { ElMessage } from 'element-plus'
import { ref, shallowRef, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { ApiError, sentence } from '@/api/errors'
import { eventKeys, events } from '@/api/events'
import { stepsTo } from './actions'
import type { ActionInput, EventAction, EventDetail, EventSummary, FalseAlarmReason } from '@/api/types'

export interface Done {
  event: EventDetail
  action: EventAction
}

interface Queue {
  rows: Ref<EventSummary[]>
  receive: (event: EventSummary) => void
}

/** Carries out actions on events and remembers the last one for undo. */
export function useTriage(queue: Queue, select: (id: string | null) => void) {
  const client = useQueryClient()
  const { t, locale } = useI18n()
  const busy = ref(new Set<string>())
  const lastDone = shallowRef<Done | null>(null)

  function versionOf(id: string): number {
    const detail = client.getQueryData<EventDetail>(eventKeys.detail(id))
    const row = queue.rows.value.find((event) => event.id === id)
    return Math.max(detail?.version ?? 0, row?.version ?? 0)
  }

  function accept(detail: EventDetail): void {
    client.setQueryData(eventKeys.detail(detail.id), detail)
    queue.receive(detail)
  }

  async function send(id: string, input: Omit<ActionInput, 'version'>): Promise<EventDetail | null> {
    busy.value = new Set(busy.value).add(id)
    try {
      const detail = await events.act(id, { ...input, version: versionOf(id) })
      accept(detail)
      return detail
    } catch (error) {
      if (error instanceof ApiError && error.isConflict) {
        accept(await events.read(id))
        ElMessage.warning(`${sentence(error, locale.value)} ${t('common.changedElsewhere')}`)
      } else {
        ElMessage.error(sentence(error, locale.value))
      }
      // The supervisor has been moved on already; what failed must not be lost.
      select(id)
      return null
    } finally {
      const left = new Set(busy.value)
      left.delete(id)
      busy.value = left
    }
  }

  /** The newest action, so that an undo pressed right after it means it and not the one before. */
  let newest: Promise<void> = Promise.resolve()

  function act(id: string, action: EventAction, extra: { reason?: FalseAlarmReason; remark?: string } = {}): Promise<void> {
    newest = carryOut(id, action, extra)
    return newest
  }

  async function carryOut(id: string, action: EventAction, extra: { reason?: FalseAlarmReason; remark?: string }): Promise<void> {
    const before = client.getQueryData<EventDetail>(eventKeys.detail(id))
    let detail: EventDetail | null = null
    for (const step of before ? stepsTo(action, before) : [action]) {
      detail = await send(id, step === action ? { action, ...extra } : { action: step })
      if (!detail) return
    }
    if (detail) lastDone.value = { event: detail, action }
  }

  async function undo(): Promise<void> {
    await newest
    const done = lastDone.value
    if (!done) {
      ElMessage.info(t('alerts.nothingToUndo'))
      return
    }
    lastDone.value = null
    const detail = await send(done.event.id, { action: 'undo' })
    if (detail) select(detail.id)
  }

  return { act, undo, busy, lastDone }
}
