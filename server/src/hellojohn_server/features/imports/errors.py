"""What a call on imports can be refused for.

NotFound
└── ImportNotFound              404  no such import in this tenant
Conflict
├── ImportFileDiffers           409  the file does not begin as the one that was read
├── ImportNotResumable          409  it has ended, or tried without writing
└── ImportTakenOver             409  another call goes on with it
"""

from hellojohn_server.kit.error_codes import ErrorCode
from hellojohn_server.kit.errors import Conflict, NotFound


class ImportNotFound(NotFound):
    code = ErrorCode.IMPORT_NOT_FOUND
    message = "There is no such import."


class ImportFileDiffers(Conflict):
    code = ErrorCode.IMPORT_FILE_DIFFERS
    message = "This is not the file that was begun: what was read of that one is another beginning."


class ImportNotResumable(Conflict):
    code = ErrorCode.IMPORT_NOT_RESUMABLE
    message = "Only an import that was interrupted can go on, and none that tries without writing."


class ImportTakenOver(Conflict):
    code = ErrorCode.IMPORT_TAKEN_OVER
    message = "Another call goes on with this import."
