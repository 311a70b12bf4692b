import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import pluginVue from 'eslint-plugin-vue'
import tseslint from 'typescript-eslint'

const features = readdirSync(fileURLToPath(new URL('./src/features', import.meta.url)))

/** What a folder may not import, with the reason that is shown. */
const forbid = (files, patterns) => ({
  files: [`${files}/**/*.{ts,vue}`],
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
})

const noOtherFeature = features.map((feature) =>
  forbid(`src/features/${feature}`, [
    { group: ['@/features/*'], message: 'Features never import features: move what they share to domain/, ui/ or lib/.' },
    {
      regex: `^(\\.\\./)+(${features.filter((other) => other !== feature).join('|')})(/|$)`,
      message: 'Features never import features: move what they share to domain/, ui/ or lib/.',
    },
    { group: ['@/app/*', '!@/app/feature'], message: 'A feature offers routes; it does not know the shell.' },
  ]),
)

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/api/schema.ts'] },
  ...tseslint.configs.recommended,
  ...pluginVue.configs['flat/recommended'],
  {
    files: ['**/*.vue'],
    languageOptions: { parserOptions: { parser: tseslint.parser } },
  },
  {
    languageOptions: { ecmaVersion: 'latest', sourceType: 'module' },
    rules: {
      'no-undef': 'off',
      'no-console': ['error', { allow: ['error'] }],
      'no-eval': 'error',
      'no-implied-eval': 'error',
      eqeqeq: 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
      'vue/no-v-html': 'error',
      'vue/multi-word-component-names': 'off',
      'vue/require-default-prop': 'off',
      // How lines are broken is the formatter's business.
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/multiline-html-element-content-newline': 'off',
      'vue/html-self-closing': 'off',
      'vue/html-closing-bracket-newline': 'off',
      'vue/html-indent': 'off',
      'vue/first-attribute-linebreak': 'off',
    },
  },
  { files: ['build/**', 'mock/*.mjs'], rules: { 'no-console': 'off' } },
  { files: ['src/**/*.{ts,vue}'], rules: { 'max-lines': ['error', { max: 400, skipBlankLines: true }] } },
  ...noOtherFeature,
  forbid('src/ui', [
    { group: ['@/api/*', '@/stores/*', '@/domain/*', '@/features/*', '@/app/*'], message: 'ui/ knows no API: pass what it needs by props.' },
  ]),
  forbid('src/lib', [{ group: ['@/*', '!@/lib/*'], message: 'lib/ stands at the bottom.' }]),
  forbid('src/domain', [{ group: ['@/features/*', '@/app/*'], message: 'domain/ is below the features.' }]),
  forbid('src/api', [{ group: ['@/features/*', '@/app/*', '@/domain/*', '@/ui/*', '@/stores/*'], message: 'api/ is below everything that shows.' }]),
  forbid('src/stores', [{ group: ['@/features/*', '@/app/*', '@/domain/*', '@/ui/*'], message: 'stores/ are below everything that shows.' }]),
)
