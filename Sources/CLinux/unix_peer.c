// A question to sock_diag(7) about one unix socket: its structures are C bit patterns that Swift would only
// copy.
#include "CLinux.h"

int64_t sprof_unix_peer(uint32_t inode, void *answer, uint64_t size) {
  struct {
    struct nlmsghdr header;
    struct unix_diag_req request;
  } message;
  memset(&message, 0, sizeof message);
  message.header.nlmsg_len = sizeof message;
  message.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  message.header.nlmsg_flags = NLM_F_REQUEST;
  message.request.sdiag_family = AF_UNIX;
  message.request.udiag_states = ~0u;
  message.request.udiag_ino = inode;
  message.request.udiag_show = UDIAG_SHOW_PEER;
  // Any socket of that inode, whatever its cookie.
  message.request.udiag_cookie[0] = ~0u;
  message.request.udiag_cookie[1] = ~0u;
  int file = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
  if (file < 0) return -errno;
  int64_t count = send(file, &message, sizeof message, 0);
  // The kernel has answered when send returns.
  if (count >= 0) count = recv(file, answer, size, MSG_DONTWAIT);
  int code = errno;
  close(file);
  return count < 0 ? -code : count;
}
