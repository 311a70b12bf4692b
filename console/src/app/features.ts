import type { Feature } from './feature'

const modules = import.meta.glob<{ feature: Feature }>('../features/*/routes.ts', { eager: true })

/** Every feature, in the order of the navigation. */
export const features: Feature[] = Object.values(modules)
  .map((module) => module.feature)
  .sort((a, b) => a.order - b.order)
