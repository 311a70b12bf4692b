import type { EventSummary, Page } from '@/api/types'

/** The pages of the queue as fetched, newest first. */
export interface Pages {
  pages: Page<EventSummary>[]
  pageParams: (string | null)[]
}

/** Newest decision first; the id breaks ties. */
export function compare(a: EventSummary, b: EventSummary): number {
  return b.decided_at - a.decided_at || (a.id < b.id ? 1 : a.id > b.id ? -1 : 0)
}

/** Whether `next` replaces `known`: messages may come late or twice, an older one never wins. */
export function isNewer(next: EventSummary, known: EventSummary): boolean {
  return next.version > known.version || (next.version === known.version && next.revision > known.revision)
}

/** All rows once each: a page fetched later may repeat a row that has moved. */
export function flatten(data: Pages | undefined): EventSummary[] {
  const rows = new Map<string, EventSummary>()
  for (const page of data?.pages ?? []) {
    for (const event of page.items) {
      const known = rows.get(event.id)
      if (!known || isNewer(event, known)) rows.set(event.id, event)
    }
  }
  return [...rows.values()]
}

/** Puts a newer form of a row in its place, without moving anything; null when the row is not there. */
export function patch(data: Pages, event: EventSummary): Pages | null {
  let found = false
  const pages = data.pages.map((page) => {
    const at = page.items.findIndex((known) => known.id === event.id)
    const known = page.items[at]
    if (!known) return page
    found = true
    return isNewer(event, known) ? { ...page, items: page.items.with(at, event) } : page
  })
  return found ? { ...data, pages } : null
}

/**
 * Puts a new row where its time belongs. A row older than everything loaded is left out when there are
 * more pages: it comes with its page.
 */
export function insert(data: Pages, event: EventSummary): Pages {
  const last = data.pages.length - 1
  for (const [index, page] of data.pages.entries()) {
    const at = page.items.findIndex((known) => compare(event, known) < 0)
    if (at >= 0) return { ...data, pages: data.pages.with(index, { ...page, items: page.items.toSpliced(at, 0, event) }) }
  }
  const lastPage = data.pages[last]
  if (!lastPage || lastPage.next_cursor) return data
  return { ...data, pages: data.pages.with(last, { ...lastPage, items: [...lastPage.items, event] }) }
}

/**
 * Parts the rows at the frontier, the newest row that the reader has been shown: what is newer waits, however it
 * came. Without a frontier nothing is being read, and everything is shown.
 */
export function partition(rows: readonly EventSummary[], frontier: EventSummary | null): { shown: EventSummary[]; waiting: EventSummary[] } {
  if (!frontier) return { shown: [...rows], waiting: [] }
  const isBeyond = (event: EventSummary) => event.id !== frontier.id && compare(event, frontier) < 0
  return { shown: rows.filter((event) => !isBeyond(event)), waiting: rows.filter(isBeyond) }
}

/** The frontier after rows have changed: it moves up only while nothing is being read, and never past the newest row. */
export function advance(rows: readonly EventSummary[], frontier: EventSummary | null, mayMove: boolean): EventSummary | null {
  if (rows.length > 0 && frontier !== null && !mayMove) return frontier
  return rows.reduce<EventSummary | null>((newest, event) => (newest === null || compare(event, newest) < 0 ? event : newest), null)
}

/** The rows to go to from `from`, best first: those that are still to be done after it, else the nearest before it. */
export function following(rows: readonly EventSummary[], from: string, isOpen: (event: EventSummary) => boolean, most = 1): string[] {
  const at = rows.findIndex((event) => event.id === from)
  const found: string[] = []
  for (let i = at + 1; i < rows.length && found.length < most; i += 1) {
    const event = rows[i]
    if (event && isOpen(event)) found.push(event.id)
  }
  if (found.length > 0) return found
  const before = rows.slice(0, Math.max(at, 0)).findLast(isOpen)
  return before ? [before.id] : []
}
