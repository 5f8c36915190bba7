import { describeSettings } from '../config.ts'

/** docs/configuration.md: every setting, as the schema has it. */
export function configurationDocument(): string {
  const rows = describeSettings().map(({ name, about, allowed, unit, byDefault }) => {
    const value = `${allowed}${unit === undefined ? '' : ` (${unit})`}`
    return `| \`${name}\` | ${cell(about)} | ${cell(value)} | ${byDefault === undefined ? '' : cell(byDefault)} |`
  })
  return `# Configuration

Every setting is an environment variable; one that is empty counts as left out. A wrong one is refused at the start, all problems at once;
one that looks misspelt is warned about. \`pnpm start --help\` prints the same list. This page is written by \`pnpm documents\`.

| setting | what it is for | value | default |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|')
}
