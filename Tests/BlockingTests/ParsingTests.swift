import LinuxProcess
import Testing
