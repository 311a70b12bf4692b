/** Marked alerts, and the one from which a range is counted. */
export interface Selection {
  ids: ReadonlySet<string>
  anchor: string | null
}

export const nothing: Selection = { ids: new Set(), anchor: null }

export function toggle(selection: Selection, id: string): Selection {
  const ids = new Set(selection.ids)
  if (!ids.delete(id)) ids.add(id)
  return { ids, anchor: id }
}

/** Marks all between the anchor and `to` as well; without an anchor in the list only `to`. */
export function extend(selection: Selection, rows: readonly string[], to: string): Selection {
  const end = rows.indexOf(to)
  if (end < 0) return selection
  const anchor = selection.anchor === null ? -1 : rows.indexOf(selection.anchor)
  const start = anchor < 0 ? end : anchor
  const range = rows.slice(Math.min(start, end), Math.max(start, end) + 1)
  return { ids: new Set([...selection.ids, ...range]), anchor: anchor < 0 ? to : selection.anchor }
}

/** Marks all; again marks none. */
export function toggleAll(selection: Selection, rows: readonly string[]): Selection {
  return rows.length > 0 && rows.every((id) => selection.ids.has(id)) ? nothing : { ids: new Set(rows), anchor: selection.anchor }
}

/** Forgets marks of rows that are no longer there. */
export function keep(selection: Selection, rows: ReadonlySet<string>): Selection {
  if ([...selection.ids].every((id) => rows.has(id))) return selection
  return { ids: new Set([...selection.ids].filter((id) => rows.has(id))), anchor: selection.anchor }
}
