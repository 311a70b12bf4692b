import { useQueryClient } from '@tanstack/vue-query'
import { defineStore } from 'pinia'
import { ref } from 'vue'
import { cameraKeys } from '@/api/cameras'
import { edgeKeys } from '@/api/edges'
import { eventKeys } from '@/api/events'
import { ChangeStream, type LinkState } from '@/api/stream'
import { taskKeys } from '@/api/tasks'
import type { EventSummary } from '@/api/types'

type Listener = (event: EventSummary) => void

const refetchDelayMs = 400

/** The one change stream of the page, and who listens to it. */
export const useLink = defineStore('link', () => {
  const client = useQueryClient()
  const state = ref<LinkState>('connecting')
  const eventListeners = new Set<Listener>()
  let stream: ChangeStream | null = null
  let greeting = 0

  // A burst of changes costs one fetch per list.
  const waiting = new Map<string, ReturnType<typeof setTimeout>>()
  function refetchSoon(key: readonly unknown[]): void {
    const name = JSON.stringify(key)
    if (waiting.has(name)) return
    waiting.set(
      name,
      setTimeout(() => {
        waiting.delete(name)
        void client.invalidateQueries({ queryKey: key })
      }, refetchDelayMs),
    )
  }

  function start(): void {
    if (stream) return
    stream = new ChangeStream({
      state: (next) => {
        greeting += 1
        state.value = next
        // An event source cannot tell "signed out" from "server gone"; an ordinary request can.
        if (next === 'lost') void client.invalidateQueries({ queryKey: eventKeys.counters })
      },
      resync: () => {
        // What is shown is live again only when the missed changes are in it.
        const asked = greeting
        state.value = 'connecting'
        void client.invalidateQueries().finally(() => {
          if (greeting === asked) state.value = 'open'
        })
      },
      change: (change) => {
        if (change.kind === 'event') {
          refetchSoon(eventKeys.counters)
          if (change.event) eventListeners.forEach((listener) => listener(change.event as EventSummary))
        } else if (change.kind === 'camera') {
          refetchSoon(cameraKeys.all)
        } else if (change.kind === 'task') {
          refetchSoon(taskKeys.all)
        } else {
          // An edge's report carries the state of its cameras and tasks.
          refetchSoon(edgeKeys.all)
          refetchSoon(cameraKeys.all)
          refetchSoon(taskKeys.all)
        }
      },
    })
    stream.start()
  }

  function stop(): void {
    stream?.stop()
    stream = null
  }

  /** Calls `listener` for every event change; returns how to stop. */
  function onEvent(listener: Listener): () => void {
    eventListeners.add(listener)
    return () => eventListeners.delete(listener)
  }

  return { state, start, stop, retryNow: () => stream?.retryNow(), onEvent }
})
