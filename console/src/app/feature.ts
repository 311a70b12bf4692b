import type { Component } from 'vue'
import type { RouteRecordRaw } from 'vue-router'

/** What a feature folder offers to the shell, in its `routes.ts`. */
export interface Feature {
  /** Name of the main route, also the prefix of its texts. */
  name: string
  /** Place in the navigation. */
  order: number
  icon: Component
  /** Left out of the navigation of a phone. */
  deskOnly?: boolean
  routes: RouteRecordRaw[]
}
