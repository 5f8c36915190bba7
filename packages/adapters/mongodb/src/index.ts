export { type BackfillOptions, type BackfillProgress, backfillChats } from './backfill-chats.ts'
export { mongodbChatHistory } from './mongodb-chat-history.ts'
export type { MongodbOptions } from './mongodb-store.ts'
