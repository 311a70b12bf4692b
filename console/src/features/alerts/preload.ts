import { useQueryClient } from '@tanstack/vue-query'
import { eventKeys, events } from '@/api/events'

/** Fetches the alert that comes next, with its picture, so that moving on shows it at once. */
export function usePreload() {
  const client = useQueryClient()

  async function load(id: string): Promise<void> {
    const event = await client.fetchQuery({
      queryKey: eventKeys.detail(id),
      queryFn: ({ signal }) => events.read(id, signal),
      staleTime: 60_000,
    })
    if (event.snapshot?.available) new Image().src = event.snapshot.url
  }

  return {
    preload(id: string | null): void {
      // A failure here shows when the alert is opened.
      if (id !== null) void load(id).catch(() => undefined)
    },
  }
}
