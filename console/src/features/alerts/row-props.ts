import type { Row } from './groups'

/** What a row of the queue is shown by, as a card or in the table. */
export interface RowProps {
  row: Row
  selected: boolean
  marked: boolean
  /** Whether any alert is marked, so that the marks stay in sight. */
  marking: boolean
  unfolded: boolean
  unread: boolean
  done: boolean
}

export interface RowEvents {
  choose: [press: MouseEvent]
  mark: [range: boolean]
  unfold: []
}

/** Columns of the table: head and rows share them. */
export const columns = '34px 20px minmax(104px, 1.1fr) 62px minmax(90px, 1fr) minmax(110px, 1.2fr) minmax(70px, 0.8fr) 142px 78px 70px'
