import { useQueryClient } from '@tanstack/vue-query'
import { eventKeys, events } from '@/api/events'

/** Pictures that are kept decoded; one of a 4K camera takes some 30 MB, so not many. */
const mostPictures = 6

/** Fetches the alerts that come next, with their pictures decoded, so that moving on shows them at once. */
export function usePreload() {
  const client = useQueryClient()
  const pictures = new Map<string, HTMLImageElement>()

  function keepPicture(url: string): void {
    const known = pictures.get(url)
    pictures.delete(url)
    const picture = known ?? new Image()
    pictures.set(url, picture)
    if (!known) {
      picture.src = url
      picture.decode().catch(() => pictures.delete(url))
    }
    const oldest = pictures.keys().next().value
    if (pictures.size > mostPictures && oldest !== undefined) pictures.delete(oldest)
  }

  async function load(id: string): Promise<void> {
    const event = await client.fetchQuery({
      queryKey: eventKeys.detail(id),
      queryFn: ({ signal }) => events.read(id, signal),
      staleTime: 60_000,
    })
    if (event.snapshot?.available) keepPicture(event.snapshot.url)
  }

  return {
    preload(ids: readonly string[]): void {
      // A failure here shows when the alert is opened.
      for (const id of ids) void load(id).catch(() => undefined)
    },
  }
}
