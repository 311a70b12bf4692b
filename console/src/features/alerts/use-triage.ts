import { useQueryClient } from '@tanstack/vue-query'
import { ElMessage } from 'element-plus'
import { ref, shallowRef, type Ref } from 'vue'
import { useI18n } from 'vue-i18n'
import { ApiError, sentence } from '@/api/errors'
import { eventKeys, events } from '@/api/events'
import { stepsTo } from './actions'
import type { ActionInput, EventAction, EventDetail, EventSummary, FalseAlarmReason } from '@/api/types'

/** What was done last: with one alert or with many. */
export interface Done {
  events: EventSummary[]
  action: EventAction
}

interface Queue {
  rows: Ref<EventSummary[]>
  receive: (event: EventSummary) => void
}

interface Extra {
  reason?: FalseAlarmReason
  remark?: string
}

/** As many alerts as one request takes. */
const mostAtOnce = 200

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

  function setBusy(ids: readonly string[], isBusy: boolean): void {
    const next = new Set(busy.value)
    for (const id of ids) {
      if (isBusy) next.add(id)
      else next.delete(id)
    }
    busy.value = next
  }

  async function send(id: string, input: Omit<ActionInput, 'version'>): Promise<EventDetail | null> {
    setBusy([id], true)
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
      setBusy([id], false)
    }
  }

  /** The newest action, so that an undo pressed right after it means it and not the one before. */
  let newest: Promise<unknown> = Promise.resolve()

  function act(id: string, action: EventAction, extra: Extra = {}): Promise<void> {
    const pending = carryOut(id, action, extra)
    newest = pending
    return pending
  }

  async function carryOut(id: string, action: EventAction, extra: Extra): Promise<void> {
    const before = client.getQueryData<EventDetail>(eventKeys.detail(id))
    let detail: EventDetail | null = null
    for (const step of before ? stepsTo(action, before) : [action]) {
      detail = await send(id, step === action ? { action, ...extra } : { action: step })
      if (!detail) return
    }
    if (detail) lastDone.value = { events: [detail], action }
  }

  /** One action on many alerts; answers with the ids that it could not be done with, so that they stay marked. */
  function actOnMany(ids: readonly string[], action: EventAction, extra: Extra = {}): Promise<string[]> {
    const pending = carryOutMany(ids, action, extra)
    newest = pending
    return pending
  }

  async function carryOutMany(ids: readonly string[], action: EventAction, extra: Extra): Promise<string[]> {
    const done: EventSummary[] = []
    const failed: string[] = []
    let why = ''
    setBusy(ids, true)
    try {
      for (let from = 0; from < ids.length; from += mostAtOnce) {
        const part = ids.slice(from, from + mostAtOnce)
        const { items } = await events.actOnMany({ items: part.map((id) => ({ id, version: versionOf(id) })), action, ...extra })
        for (const item of items) {
          const known = queue.rows.value.find((event) => event.id === item.id)
          if (item.ok && known && item.state !== null && item.version !== null) {
            const changed = { ...known, state: item.state, version: item.version }
            queue.receive(changed)
            done.push(changed)
          }
          void client.invalidateQueries({ queryKey: eventKeys.detail(item.id) })
          if (!item.ok) {
            failed.push(item.id)
            if (item.error) why = sentence(ApiError.from(409, item.error), locale.value)
          }
        }
      }
    } catch (error) {
      why = sentence(error, locale.value)
      const settled = new Set([...failed, ...done.map((event) => event.id)])
      failed.push(...ids.filter((id) => !settled.has(id)))
    } finally {
      setBusy(ids, false)
    }
    if (done.length > 0) lastDone.value = { events: done, action }
    if (failed.length > 0) ElMessage.warning(t('alerts.batchFailed', { n: failed.length, why }))
    return failed
  }

  async function undo(): Promise<void> {
    await newest
    const done = lastDone.value
    if (!done) {
      ElMessage.info(t('alerts.nothingToUndo'))
      return
    }
    lastDone.value = null
    const only = done.events.length === 1 ? done.events[0] : undefined
    if (only) {
      const detail = await send(only.id, { action: 'undo' })
      if (detail) select(detail.id)
    } else {
      const ids = done.events.map((event) => event.id)
      const failed = await carryOutMany(ids, 'undo', {})
      lastDone.value = null
      if (failed.length === 0) ElMessage.success(t('alerts.batchUndone', { n: ids.length }))
    }
  }

  return { act, actOnMany, undo, busy, lastDone }
}
