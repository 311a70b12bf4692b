declare module 'virtual:licences' {
  export const version: string
  export const packages: { name: string; version: string; licence: string }[]
}
