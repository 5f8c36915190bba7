/** A JPEG of 32 × 16 pixels that tells who took it, and where: `Alice in Busan`. */
export const PHOTO: Buffer = Buffer.from(
  '/9j/4QEaRXhpZgAASUkqAAgAAAAIABIBAwABAAAAAQAAABoBBQABAAAAbgAAABsBBQABAAAAdgAAACgBAwABAAAAAgAAADsBAgAP' +
    'AAAAfgAAABMCAwABAAAAAQAAAGmHBAABAAAAjgAAACWIBAABAAAA3AAAAAAAAAA4YwAA6AMAADhjAADoAwAAQWxpY2UgaW4gQnVz' +
    'YW4AAAYAAJAHAAQAAAAwMjEwAZEHAAQAAAABAgMAAKAHAAQAAAAwMTAwAaADAAEAAAD//wAAAqAEAAEAAAAgAAAAA6AEAAEAAAAQ' +
    'AAAAAAAAAAIAAQACAAIAAABOAAAAAgAFAAMAAAD6AAAAAAAAACMAAAABAAAADQAAAAEAAAA6AAAAAQAAAP/bAEMAEAsMDgwKEA4N' +
    'DhIREBMYKBoYFhYYMSMlHSg6Mz08OTM4N0BIXE5ARFdFNzhQbVFXX2JnaGc+TXF5cGR4XGVnY//bAEMBERISGBUYLxoaL2NCOEJj' +
    'Y2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY2NjY//AABEIABAAIAMBIgACEQEDEQH/xAAVAAEB' +
    'AAAAAAAAAAAAAAAAAAAABf/EABQQAQAAAAAAAAAAAAAAAAAAAAD/xAAWAQEBAQAAAAAAAAAAAAAAAAAABQb/xAAUEQEAAAAAAAAA' +
    'AAAAAAAAAAAA/9oADAMBAAIRAxEAPwCKAlt4AA//2Q==',
  'base64',
)

/** What `POST /chat/attachments` answers. */
export interface Prepared {
  readonly link: string
  readonly upload: {
    readonly url: string
    readonly fields: Readonly<Record<string, string>>
    readonly fileField: string
  }
}

export async function prepareUpload(url: string, token: string, file: object): Promise<Prepared> {
  const answer = await fetch(`${url}/chat/attachments`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(file),
  })
  if (answer.status !== 201) throw new Error(`${answer.status} ${await answer.text()}`)
  return ((await answer.json()) as { data: Prepared }).data
}

/** What a front end does with a form, whoever made it. Answers the status. */
export async function fillIn({ upload }: Prepared, bytes: Uint8Array): Promise<number> {
  const form = new FormData()
  for (const [name, value] of Object.entries(upload.fields)) form.append(name, value)
  form.append(upload.fileField, new Blob([Uint8Array.from(bytes)]), 'client.jpg')
  return (await fetch(upload.url, { method: 'POST', body: form })).status
}
