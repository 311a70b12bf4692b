/** The sizes of the wall that can be chosen. */
export const gridSizes = [1, 4, 9, 16] as const
export type GridSize = (typeof gridSizes)[number]

/** The smallest wall that shows `count` cameras, at most 16. */
export function sizeFor(count: number): GridSize {
  return gridSizes.find((size) => size >= count) ?? 16
}

/** A wall of `size` cells: what was chosen, in order; nothing twice. */
export function fill(size: GridSize, chosen: readonly (string | null)[]): (string | null)[] {
  const seen = new Set<string>()
  return Array.from({ length: size }, (_, i) => {
    const id = chosen[i] ?? null
    if (id === null || seen.has(id)) return null
    seen.add(id)
    return id
  })
}

/** Puts a camera into a cell (or the first free one, else the last); a camera that is on the wall moves. */
export function place(cells: readonly (string | null)[], id: string, at?: number): (string | null)[] {
  const free = cells.indexOf(null)
  const target = at ?? (cells.includes(id) ? cells.indexOf(id) : free >= 0 ? free : cells.length - 1)
  const from = cells.indexOf(id)
  const next = [...cells]
  if (from >= 0) next[from] = cells[target] ?? null
  next[target] = id
  return next
}

/** Writes the wall into the address. */
export const encode = (cells: readonly (string | null)[]) => cells.map((id) => id ?? '').join(',').replace(/,+$/, '')

/** Reads the wall out of the address. */
export const decode = (text: string): (string | null)[] => text.split(',').map((id) => (id === '' ? null : id))
