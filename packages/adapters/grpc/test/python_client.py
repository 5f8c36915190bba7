"""A client of another language: makes its code from our protos, calls both services, prints what it was answered as JSON."""

import json
import sys
import tempfile

import grpc
from grpc_tools import protoc

proto_folder, port = sys.argv[1], sys.argv[2]
files = ["grpc_message_service.proto", "sgs/presence/v1/presence.proto"]

with tempfile.TemporaryDirectory() as out:
    if protoc.main(["protoc", f"-I{proto_folder}", f"--python_out={out}", f"--grpc_python_out={out}", *files]) != 0:
        sys.exit("protoc failed")
    sys.path.insert(0, out)
    import grpc_message_service_pb2 as original
    import grpc_message_service_pb2_grpc as original_service
    from sgs.presence.v1 import presence_pb2 as presence
    from sgs.presence.v1 import presence_pb2_grpc as presence_service

    answers = {}
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        two = original_service.GrpcMessageServiceStub(channel)
        answers["subscribed"] = two.SubscribeChat(
            original.ChatSubscribeRequest(userId="앨리스", roomId=7, session="py-1"), timeout=10
        ).userId
        ours = presence_service.PresenceServiceStub(channel)
        node = presence.Node(id="python", incarnation="a")
        ours.Report(
            presence.ReportRequest(
                node=node,
                reports=[
                    presence.SessionReport(
                        session_id=session, user_id="bob", number=1, present=presence.Present(room_ids=[7])
                    )
                    for session in ("py-2", "py-3")
                ],
            ),
            timeout=10,
        )
        room = ours.WhoIsIn(presence.WhoIsInRequest(node=node, room_id=7), timeout=10)
        answers["users"] = {user.user_id: user.sessions for user in room.users}

        watch = ours.Watch(iter([presence.WatchRequest(node=node, watch_room_id=7)]), timeout=10)
        answers["watching"] = next(watch).stale_room_id

        answers["left"] = two.UnsubscribeChat(original.ChatUnsubscribeRequest(session="py-1"), timeout=10).userId
        answers["unknown"] = two.UnsubscribeChat(original.ChatUnsubscribeRequest(session="py-1"), timeout=10).userId
        try:
            ours.Report(presence.ReportRequest(node=node), timeout=10)
        except grpc.RpcError as error:
            answers["refused"] = [error.code().name, dict(error.trailing_metadata())["sgs-code"]]
    print(json.dumps(answers))
