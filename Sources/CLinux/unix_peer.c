// Questions to the kernel about unix sockets: their structures are C bit patterns that Swift would only copy.
#define _GNU_SOURCE
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

int64_t sprof_unix_listener(const char *name, uint64_t size) {
  struct sockaddr_un address;
  if (size > sizeof address.sun_path) return -ENAMETOOLONG;
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  memcpy(address.sun_path, name, size);
  // Where the queue is full, connect would wait.
  int file = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (file < 0) return -errno;
  struct ucred listener = {0};
  socklen_t length = sizeof listener;
  socklen_t addressSize = offsetof(struct sockaddr_un, sun_path) + size;
  int64_t result = connect(file, (struct sockaddr *)&address, addressSize);
  if (result == 0) result = getsockopt(file, SOL_SOCKET, SO_PEERCRED, &listener, &length);
  int code = errno;
  close(file);
  return result < 0 ? -code : listener.pid;
}
